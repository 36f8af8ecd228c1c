"""Commands that turn a model file into another one, or carry it elsewhere."""
