"""Networks with attention, in which every place sees every other.

attention       transformer blocks over the places of a map and further tokens
discriminator   a vision transformer that scores every patch
vit_unet        a U-Net with a transformer at its coarsest features, and a style token
"""
