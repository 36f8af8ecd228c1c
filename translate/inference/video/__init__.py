"""The translation of films: frame by frame without flicker, with their sound, and resumable.

`run` takes frames from `readers`, and hands segments of translated frames to `writers`, which call `mux` at the end.

    clip        frames with their times, from any source
    denoise     temporal denoising of camera noise
    mux         joins encoded segments, and copies sound and subtitles
    readers     films, GIFs and folders of frames as clips
    run         translate_video
    scene_cuts  detection of scene cuts
    segments    the hidden folder of finished segments, for resuming
    writers     frames to films, GIFs and folders, in segments
    yuv         conversion between YUV and RGB by colour matrix and range
"""
