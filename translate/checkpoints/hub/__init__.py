"""Models on the Hugging Face Hub: named, fetched into the usual cache, and uploaded; needs the extra `hub`.

Of a repository, the model file alone is fetched; nothing in it can run.

errors   what the Hub refuses, in one line with the way out
fetch    the model file of a repository, from the cache or the network
name     hf://user/name@revision
upload   a folder as one commit of a repository
"""
