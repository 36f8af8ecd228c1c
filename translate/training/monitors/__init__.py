"""What can go wrong in a run, noticed while it trains, and said in words with a remedy.

divergence     losses that explode, values that are not finite, a useless discriminator
failure_modes  faults in the sample grids
findings       the faults of a run, in words
mode_collapse  variety of generated pictures, and memorized pictures
"""
