"""The shoes line.

A shoe is built of parts from the sole upwards, and dressed in colours.

    classic    oxfords, loafers and boots
    heels      pumps, wedges, ballet flats and sandals
    parts      soles, openings, laces and low-cut uppers
    shoes      kinds, colours and jobs
    sport      sneakers, high-tops and running shoes
"""
