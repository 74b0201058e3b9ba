# A virtual instrument: two motors (one takes time), an axis, and a detector with all kinds of channels.
description = 'virtual instrument'
group = 'basic'
includes = ['system']

devices = dict(
    mot = device('nicos.devices.generic.VirtualMotor',
        unit = 'mm', curvalue = 0, abslimits = (-100, 100), speed = 0,
    ),
    slow = device('nicos.devices.generic.VirtualMotor',
        unit = 'mm', curvalue = 0, abslimits = (-100, 100), speed = 1,
    ),
    axis = device('nicos.devices.generic.Axis',
        motor = 'mot', coder = None, precision = 0, loopdelay = 0.02,
    ),
    timer = device('nicos.devices.generic.VirtualTimer',
        visibility = (),
    ),
    monitor = device('nicos.devices.generic.VirtualCounter',
        type = 'monitor', countrate = 1000, fmtstr = '%d', visibility = (),
    ),
    counter = device('nicos.devices.generic.VirtualCounter',
        type = 'counter', countrate = 2000, fmtstr = '%d', visibility = (),
    ),
    image = device('nicos.devices.generic.VirtualImage',
        size = (16, 16), background = 0, visibility = (),
    ),
    det = device('nicos.devices.generic.Detector',
        timers = ['timer'], monitors = ['monitor'], counters = ['counter'], images = ['image'],
        liveinterval = 0.5,
    ),
)
