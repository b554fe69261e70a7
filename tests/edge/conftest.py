from hypothesis import settings

# A busy machine is no failure of the code: hypothesis' 200 ms per example are not for shared runners.
settings.register_profile("edge", deadline=None)
settings.load_profile("edge")
