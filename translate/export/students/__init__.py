"""Small models that give the answers of large ones: `tools/distill.py`.

cost       multiplications and seconds of networks
lesson     the configuration of a student's run, from the options of the command
report     teacher and student side by side
search     the widest network that is fast enough here
"""
