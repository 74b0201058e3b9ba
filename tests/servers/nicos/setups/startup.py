# Loaded when the daemon starts.
description = 'start'
group = 'lowlevel'
includes = ['instrument']
