"""Commands that turn a model file into another one, or carry it elsewhere.

import_checkpoint    import-checkpoint
share                share
"""
