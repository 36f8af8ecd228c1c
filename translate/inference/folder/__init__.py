"""The translation of folders: pictures are read, translated and written at the same time; a rerun resumes.

`run` starts `pipeline`, which takes pending jobs from `jobs` and records each outcome in `report`.

    identity  what results depend on besides the pictures: the model and the options
    jobs      the pending jobs, and the reading of their files
    pipeline  the read, infer and write stages
    report    counts, notes and the list of failures
    run       translate_folder
    trust     how unlike the training pictures each input is
"""
