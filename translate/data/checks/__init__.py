"""Data checks: what would spoil training or its scores.

domain_separation  whether simple traits separate two domains
duplicates         equal and nearly equal pictures
full_check         the check of a whole data set
measure            size, mode, hash, thumbnail and traits of a picture
pair_checks        checks of pairs
quick_check        the check of a second or two before training
report             findings, on one screen or as plain data
"""
