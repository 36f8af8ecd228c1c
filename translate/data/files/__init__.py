"""Files by name: which pictures a user's words mean, and in what order.

companions  masks or hints that belong to pictures of the same name
counted     a count of items, and the first few of them
csv_tables  CSV files of any usual kind
find        pictures of a folder, pattern, list file or path
idx         IDX files, the format of MNIST
matching    pairs of pictures by name
naming      names of domains
splits      training and test parts
walk        pictures below a folder, one at a time
worklist    the pictures of a folder still to be processed
"""
