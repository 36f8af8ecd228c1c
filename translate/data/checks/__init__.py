"""Data checks: faults that would spoil training or its scores.

contents           whether one of two domains has contents that the other lacks
domain_separation  whether simple traits separate two domains
duplicates         equal and nearly equal pictures
full_check         the check of a whole data set
measure            the size, mode, hash, thumbnail and traits of a picture
pair_checks        checks of pairs
quick_check        a check before training, within two seconds
report             findings, on one screen or as plain data
"""
