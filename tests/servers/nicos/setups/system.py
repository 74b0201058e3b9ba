# What every NICOS session needs: experiment, sample and where data go.
import os

description = 'session basics'
group = 'lowlevel'

sysconfig = dict(
    cache = os.environ.get('PATCHBAY_NICOS_CACHE'),
    instrument = 'Instrument',
    experiment = 'Exp',
    datasinks = ['daemonsink', 'livesink', 'filesink', 'rawsink'],
    notifiers = [],
)

modules = ['nicos.commands.standard']

devices = dict(
    Instrument = device('nicos.devices.instrument.Instrument',
        instrument = 'VIRTUAL',
        responsible = 'Nobody <nobody@example.org>',
    ),
    Sample = device('nicos.devices.sample.Sample'),
    Exp = device('nicos.devices.experiment.Experiment',
        sample = 'Sample',
        dataroot = os.path.join(os.environ['PATCHBAY_NICOS_DIR'], 'data'),
    ),
    daemonsink = device('nicos.devices.datasinks.DaemonSink'),
    livesink = device('nicos.devices.datasinks.LiveViewSink'),
    filesink = device('nicos.devices.datasinks.AsciiScanfileSink'),
    rawsink = device('nicos.devices.datasinks.RawImageSink', subdir = '.'),
)
