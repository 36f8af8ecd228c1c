"""The shoes line.

A shoe is assembled of parts, back to front, and coloured.

    classic    oxfords, loafers and boots
    heels      pumps, wedges, ballet flats and sandals
    parts      soles, openings, laces and low-cut uppers
    shoes      kinds, colours and jobs
    sport      sneakers, high-tops and running shoes
"""
