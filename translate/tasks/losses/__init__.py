"""Loss functions that tasks share: plain functions that return scalars.

adversarial    GAN losses on a discriminator's scores, and terms that accompany them
drifting       the field that moves samples towards real data and apart, and the loss that follows it
multiscale     discriminators of several scales, run on several batches at once, and losses on their outputs
patch_nce      the contrastive loss of CUT, on places of features
patch_samples  patches of pictures, as points that drift
perceptual     distances of frozen features
projected      a discriminator on frozen features beside the task's own
"""
