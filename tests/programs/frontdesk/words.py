GREETING = "Welcome to the package."
