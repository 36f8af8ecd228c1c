"""Files by name: the pictures that an option names, and their order.

companions   hints or masks of pictures, found by name
counted      a count of items, and the first few of them
csv_tables   CSV files with any common separator
file_state   the state of a file: whether its content is still the same
find         pictures of a folder, pattern, list file or path
halves       held-out pictures to choose a model by, and to report its scores on
idx          IDX files, the format of MNIST
journal      what each result in an output folder was made from
ledger       what is done in an output folder, and what may be overwritten
left_out     what is left out of a folder, and what to do with it
matching     pairs of pictures by name
naming       names of domains
output_note  the models, options and modes of an output folder
splits       training and test parts
walk         pictures below a folder, one at a time
worklist     the pictures of a folder still to be processed
"""
