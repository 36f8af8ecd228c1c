"""The commands: a dataclass of options and a function each. Call and print; no logic.

A comment at an option, or its line under "Attributes", is its help text.

    bench                bench
    check_data           check-data
    evaluate             evaluate
    import_checkpoint    import-checkpoint
    make_sketches        make-sketches
    options              options that several commands share
    prepare_dataset      prepare-dataset
    sample               sample: draw pictures and write them
    sample_options       its options, and which of them go together
    train                what all training commands do
    train_cycle          train-cycle
    train_gan            train-gan
    train_inpaint        train-inpaint
    train_pix2pix        train-pix2pix
    translate_folder     translate-folder, of films too
"""
