"""The latent space of a generator: interpolation, arithmetic, neighbours, directions, projection and edits.

interpolate     frames between seeds or saved styles
arithmetic      sums of mean styles: "glasses_men - men + women"
directions      principal components of styles, as sliders
neighbours      the training pictures nearest to samples
project         the style whose picture is nearest to a given one
edit            pictures that match strokes and lines on a canvas
style_prior     the distribution of styles, which keeps searches in the domain
optimise        gradient descent from many starts
image_distance  multi-scale L1 distance of pixels and gradients
hog             differentiable histograms of oriented gradients
sheets          the pictures and lines that the command `sample` shows of each of these
"""
