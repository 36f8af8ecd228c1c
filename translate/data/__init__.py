"""Where pictures come from: folders, lists, the catalog of data sets, and the feed of a training run."""
