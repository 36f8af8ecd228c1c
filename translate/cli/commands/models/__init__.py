"""Commands that turn a model file into another one, or carry it elsewhere; and those for which `commands` is full.

distill            distill
export             export
import_checkpoint  import-checkpoint
share              share
train_stargan      train-stargan
train_upscale      train-upscale
"""
