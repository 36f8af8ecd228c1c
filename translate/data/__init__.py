"""Data sets: from the words of a user to batches of tensors.

catalog/       the data sets that the package can prepare
checks/        what would spoil training or its scores
datasets/      training data of each kind
files/         files by name
loading/       pictures into batches
make_sketches  line drawings of a folder of photos
options        the options that select the training data
sources/       data sets by their files
"""
