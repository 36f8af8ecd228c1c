"""Scores of the averaged networks while a run trains, on the choosing half of the held-out pictures.

advice          which weights to use after the run, and why
average_choice  score averages of several lengths after a run, and choose the best
cost            how often and on how many pictures, for a small share of the time
history         the scores of a run, its best weights, and whether it still improves
least_squares   how snapshots combine to an average of another length
power_ema       power-function averages, updated while a run trains, and their snapshots
scorers         the scores of each kind of task
scoring         the scores of a run when they are due: measure, log, keep, stop
"""
