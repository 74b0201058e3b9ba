# For NewSetup/AddSetup: one more motor, and a device that cannot be created.
description = 'a second setup'
group = 'optional'

devices = dict(
    mot2 = device('nicos.devices.generic.VirtualMotor',
        unit = 'mm', curvalue = 0, abslimits = (-10, 10), speed = 0,
    ),
    broken = device('nicos.devices.generic.NoSuchDevice'),
)
