"""The catalog of data sets.

catalog   listing the entries, and preparing a data set
download  one file over HTTP
entry     one entry, read from its TOML file
root      the folder of all data sets
unpack    unpacking of untrusted archives
"""
