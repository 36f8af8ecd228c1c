"""The commands: a dataclass of options and a function each, which calls and prints, without logic.

The comment on an option, or its line under "Attributes", is its help text.

    bench                bench
    check_data           check-data
    compare              compare
    evaluate             evaluate
    make_sketches        make-sketches
    models/              commands that turn a model file into another one, or carry it elsewhere
    options              options that several commands share
    prepare_dataset      prepare-dataset
    report               report
    sample               sample
    sample_options       options of sample, and which of them go together
    studio               studio
    train                train, and the common function of the training commands
    train_cycle          train-cycle
    train_drift          train-drift
    train_cut            train-cut
    train_gan            train-gan
    train_inpaint        train-inpaint
    train_pix2pix        train-pix2pix
    translate_folder     translate-folder, for films too
"""
