"""Loss functions that tasks share.

They are plain functions, which return scalars.

    adversarial   GAN losses on a discriminator's scores, and terms that go with them
    multiscale    discriminators of several scales, run once for several pictures, and losses over their outputs
    perceptual    VGG-16 features and the losses on them
"""
