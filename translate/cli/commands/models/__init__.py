"""Commands that turn a model file into another one, or carry it elsewhere.

export             export
import_checkpoint  import-checkpoint
share              share
"""
