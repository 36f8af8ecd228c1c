"""Products: sketches of made-up shoes and handbags, and their photos in several colourways.

A product is a stack of parts; its sketch shows their outlines, its photos their colours and materials.

    dataset         a product line as a data set of pairs
    hand_drawing    the sketch, drawn by hand
    material        reflection and grain of surfaces
    palette         colour schemes
    product         the canvas on which a product is assembled of parts
    relief          heights and slopes of parts
    studio          the photo
    handbags/       the handbags line
    shoes/          the shoes line
"""
