/* Modbus TCP, RTU, and RTU over TCP as a driver. */
#ifndef RG_DRIVERS_MODBUS_DRIVER_H
#define RG_DRIVERS_MODBUS_DRIVER_H

#include "drivers/driver.h"

extern const struct driver modbus_driver;

#endif
