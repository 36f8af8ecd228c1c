"""The lowest layer: modules that import no other package of the project.

concurrency       slots for passes on the CPU, thread pools, prefetching
device            choice of device and precision
dist              data-parallel training: rank, broadcast, all-gather, all-reduce
errors            errors that a user can fix, one line each
factory           networks by name; signatures as schemas
files             atomic writes and temporary files
locks             locks between processes: one run, one process
memory            memory of a forward pass, free memory, allocator settings
package_data      the folders datasets/ and configs/ of the package
plugins           names to choose from, and the users' modules that add to them
program           how the program was called
progress          progress bars and spinners, in terminals and notebooks
safe_load         loading tensors without running code
sequences         evenly spaced samples
signals           Ctrl-C, SIGTERM and SIGUSR1
terminal          text that is safe to print; the console for messages; --quiet and --log
toml_files        reading users' TOML files
torchvision_door  the only import of torchvision
trust             how far input is trusted
user_cache        facts that are kept from start to start in the user's cache folder
"""
