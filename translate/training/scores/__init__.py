"""Scores of the averaged networks while a run trains, on the choosing half of the held-out pictures.

advice     which weights to use after the run, and why
cost       how often and on how many pictures, for a small share of the time
history    the scores of a run, its best weights, and whether it still improves
scoring    the scores of a run when they are due: measure, log, keep, stop
scorers    the scores of each kind of task
"""
