"""Files by name: the pictures that an option names, and their order.

companions  hints or masks of pictures, found by name
counted     a count of items, and the first few of them
csv_tables  CSV files with any common separator
find        pictures of a folder, pattern, list file or path
idx         IDX files, the format of MNIST
matching    pairs of pictures by name
naming      names of domains
splits      training and test parts
walk        pictures below a folder, one at a time
worklist    the pictures of a folder still to be processed
"""
