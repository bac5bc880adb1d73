"""The only place where parts are joined: settings in, ready stories out. One module for each kind of process."""
