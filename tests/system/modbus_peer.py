"""A Modbus device made of pymodbus alone, for test_devices_peers.py: modbus_peer.py tcp|rtu_over_tcp|rtu PLACE IMAGE.json

PLACE is a port, or for rtu the path at which a link to a pty is made. IMAGE is {unit: {space: {address: value}}}; any other address
is answered with exception 2. Prints "ready" when it listens."""

import asyncio
import json
import os
import pathlib
import sys
import tty
import types


async def open_pty(loop, protocol_factory, path, **_):
    """What pyserial-asyncio's create_serial_connection would give for our end of a pty (Debian only recommends that package)."""
    ours, theirs = os.openpty()  # theirs stays open, so that the line never hangs up
    tty.setraw(theirs)
    os.symlink(os.ttyname(theirs), path)
    protocol = protocol_factory()
    transport = types.SimpleNamespace(write=lambda data: os.write(ours, data), close=lambda: loop.remove_reader(ours))
    loop.add_reader(ours, lambda: protocol.data_received(os.read(ours, 512)))
    protocol.connection_made(transport)
    return transport, protocol


sys.modules["serial_asyncio"] = types.ModuleType("serial_asyncio")
sys.modules["serial_asyncio"].create_serial_connection = open_pty
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock  # noqa: E402
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer  # noqa: E402

SPACES = {"coil": "co", "discrete": "di", "input": "ir", "holding": "hr"}


def context(image):
    units = {}
    for unit, spaces in image.items():
        blocks = {short: ModbusSparseDataBlock({int(a): v for a, v in spaces.get(space, {"65535": 0}).items()})
                  for space, short in SPACES.items()}
        units[int(unit)] = ModbusSlaveContext(zero_mode=True, **blocks)
    return ModbusServerContext(slaves=units, single=False)


async def main(kind, place, image):
    data = context(json.loads(pathlib.Path(image).read_text()))
    if kind == "tcp":
        server = ModbusTcpServer(data, address=("127.0.0.1", int(place)), allow_reuse_address=True)
    else:
        # rtu_over_tcp: its serial server listens on a socket when the port is called so. A line has no unit that says 0x0B.
        server = ModbusSerialServer(data, port=place if kind == "rtu" else f"socket:127.0.0.1:{place}",
                                    ignore_missing_slaves=True)
        await server.start()
    if kind == "rtu":
        print("ready", flush=True)
    else:
        asyncio.get_running_loop().create_task(tell_when_open(int(place)))
    await server.serve_forever()


async def tell_when_open(port):
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        print("ready", flush=True)
        return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
