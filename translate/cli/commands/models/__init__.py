"""Commands that turn a model file into another one, or carry it elsewhere.

distill            distill
export             export
import_checkpoint  import-checkpoint
share              share
"""
