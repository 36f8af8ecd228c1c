"""The files of data sets: pictures to train on and held-out ones, with their labels, pairs or masks.

attribute_table  tables of attributes
attributes       a set of single pictures with several labels each
class_list       a text file that names the classes of label maps
domains          two domains without pairs
factors          categorical factors of pictures, from factors.csv
image_files      the files of a set of single pictures
image_set        a set of single pictures, with or without labels
label_classes    the classes of a set of label maps
label_scan       the values in the files of a set of label maps
labelled_image   one picture and its label
labels           labels by folder or CSV table
mapped_pair      pairs with label maps, read as class numbers
mask_files       inpainting masks from files
pair             one pair: its files and its pixels
pair_layouts     the folder layouts of pairs
pair_set         the pairs of a run
pair_table       pairs listed in a CSV file
picture_record   the pictures that a run has learned from, and those that it holds out
reporting        the held-out pictures to report a model on
run_data         the data that a run was trained on
"""
