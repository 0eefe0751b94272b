"""The sample library of `make demo`: real, openly licensed pictures and clips cut from them.

Not part of the wheel. The pictures lie inside scikit-image and scikit-learn (the `demo` extra), so
nothing is downloaded; importing this package needs neither of them.
"""
