"""Data sets: from command-line options to batches of tensors.

catalog/       the data sets that the package can prepare
checks/        faults that would spoil training or its scores
datasets/      training data of each kind
files/         finding, naming and matching files
loading/       decoding, caching, cropping and batching pictures
make_sketches  line drawings of a folder of photos
options        the options that select the training data
sources/       the files that belong to a data set
"""
