"""The handbags line.

A bag consists of pieces in 3D space, which are projected, assembled on a product's canvas, and coloured.

    assembly    assembles the pieces on a product's canvas
    body        side panels, openings, flaps, handles and straps
    closed      satchel, quilted bag, clutch and doctor's bag
    handbags    kinds, colours and jobs
    open        tote, bucket and hobo
    pattern     pieces, cut in space and seen by a camera
    trim        clasps, buckles, rings, chains, zips, tassels
    zipped      backpack and bowling bag
"""
