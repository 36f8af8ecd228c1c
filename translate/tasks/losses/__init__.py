"""Loss functions that tasks share: plain functions that return scalars.

adversarial      GAN losses on a discriminator's scores, and terms that accompany them
drifting         the field that moves samples towards real data and apart, and the loss that follows it
multiscale       discriminators of several scales, run on several batches at once, and losses on their outputs
patch_nce        the contrastive loss of CUT, on places of features
patch_relations  how places relate: hard negatives, and relations that an output should keep
patch_samples    patches of pictures, as points that drift
path_energy      the change of a generator's output on the way to a translation
perceptual       distances of frozen features
projected        a discriminator on frozen features beside the task's own
"""
