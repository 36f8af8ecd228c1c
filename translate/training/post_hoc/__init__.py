"""Averages of the weights whose length is chosen after the run (Karras et al., 2024, EDM2, section 3).

least_squares  how snapshots combine to an average of another length
power_ema      power-function averages, updated while a run trains, and their snapshots
choose         score averages of several lengths, and write the best
"""
