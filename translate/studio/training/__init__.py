"""The page Train: runs, watched and started, and the pictures that they learn from.

check      the command check-data as a process, which ends with its request
folders    folders of pictures: browsed, and unpacked from a zip
form       what can be chosen for a training, and the configuration of it
processes  trainings as processes of their own: started, stopped, resumed
runs       run folders as plain data
"""
