"""How a run is computed, and for how many steps.

autotune     precision, layout, crop and number of steps, chosen by timing the real step
choices      the fastest way to compute a step, remembered
plan         all that a configuration leaves open, and the schedule of the steps
time_budget  a run of --minutes keeps to its time, whatever else the machine computes
"""
