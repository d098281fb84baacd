"""What a sample of calls says about the calls to come. Pure; chance comes from fixed numbers."""
