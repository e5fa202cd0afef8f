/* Part of link: the context of libmodbus for each kind of bus, opening and closing. Private to link.c. */
#ifndef RG_DRIVERS_MODBUS_LINK_OPEN_H
#define RG_DRIVERS_MODBUS_LINK_OPEN_H

#include <linux/serial.h>
#include <modbus.h>

#include "drivers/driver.h"
#include "drivers/modbus/lookup.h"

/* A context that can receive for this kind; opens nothing. RG_ENOMEM, RG_EINVAL. Free it with modbus_free. */
RG_NODISCARD enum rg_err link_open_prepare(const struct site_bus *bus, modbus_t **out);
/* Opens the bus and hands its descriptor to the context. Returns 0 or an errno, with detail
 * (DRIVER_DETAIL_MAX) for people. pending: see lookup.h. */
int link_open_bus(const struct site_bus *bus, modbus_t *ctx, int cancel_fd, int64_t timeout_us,
                  struct lookup **pending, int *fd, char *detail);
/* What TIOCSRS485 is given for a bus with rs485 (Linux, Documentation/driver-api/serial/serial-rs485.rst): the level of RTS
 * while sending, the other one after it, the delays in milliseconds; the receiver is on while sending when the bus
 * echoes, and off otherwise. A port that has no such control, or not this one, does not open. Pure. */
void link_open_rs485(const struct site_bus *bus, struct serial_rs485 *out);
/* Closes it again. */
void link_open_undo(const struct site_bus *bus, modbus_t *ctx, int fd);

/* How long so many bytes take at the line's speed, with a tenth for pauses between them; 0 when the speed
 * is not known. */
int64_t link_wire_us(const struct site_bus *bus, unsigned bytes);
/* The system's text for an errno, its first letter made small. Returns out. */
const char *link_errno_text(int err, char *out, size_t size);

#endif
