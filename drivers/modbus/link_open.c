#include "drivers/modbus/link_open.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/link.h"

#define BITS_OF_CHARACTER 11 /* Modbus over Serial Line V1.02 §2.5.1.1: start, 8, parity, stop */

int64_t link_wire_us(const struct site_bus *bus, unsigned bytes)
{
    if (bus->kind == BUS_TCP || bus->baud == 0)
        return 0;
    return (int64_t)bytes * BITS_OF_CHARACTER * 1100000 / bus->baud;
}

const char *link_errno_text(int err, char *out, size_t size)
{
    char buffer[128];

    (void)text_copy(out, size, strerror_r(err, buffer, sizeof buffer));
    out[0] = (char)tolower((unsigned char)out[0]);
    return out;
}

/* The speeds that libmodbus knows. Any other it would take for 9600, in silence. */
static bool baud_known(uint32_t baud)
{
    static const uint32_t known[] = {110,     300,     600,     1200,    2400,    4800,    9600,    19200,
                                     38400,   57600,   115200,  230400,  460800,  500000,  576000,  921600,
                                     1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};

    for (size_t i = 0; i < RG_COUNT(known); i++) {
        if (known[i] == baud)
            return true;
    }
    return false;
}

enum rg_err link_open_prepare(const struct site_bus *bus, modbus_t **out)
{
    static const char parities[] = {[PARITY_NONE] = 'N', [PARITY_EVEN] = 'E', [PARITY_ODD] = 'O'};
    modbus_t *ctx = NULL;

    if (bus->kind == BUS_RTU ? !bus->path || bus->path[0] == '\0' || bus->baud == 0 : !bus->host)
        return RG_EINVAL;
    if ((size_t)bus->parity >= RG_COUNT(parities))
        return RG_EINVAL;
    *out = NULL;
    if (bus->kind == BUS_TCP)
        return RG_OK;
    /* Over a socket the context only writes: its settings are never used. */
    if (bus->kind == BUS_RTU_OVER_TCP)
        ctx = modbus_new_rtu("socket", 9600, 'N', 8, 1);
    else
        ctx =
            modbus_new_rtu(bus->path, (int)bus->baud, parities[bus->parity], 8, bus->stop_bits == 2 ? 2 : 1);
    if (!ctx)
        return errno == EINVAL ? RG_EINVAL : RG_ENOMEM;
    (void)modbus_set_error_recovery(ctx, MODBUS_ERROR_RECOVERY_NONE);
    *out = ctx;
    return RG_OK;
}

/* Two masters on one line hear each other's answers. A lock, not TIOCEXCL: it ends with the process, root
 * respects it, and a pty whose other side stays open would keep TIOCEXCL. */
static int lock_line(int fd, const char **why)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        *why = "the line is in use by another program";
    return errno;
}

void link_open_rs485(const struct site_bus *bus, struct serial_rs485 *out)
{
    const uint32_t level = bus->rs485.send_low ? SER_RS485_RTS_AFTER_SEND : SER_RS485_RTS_ON_SEND;

    *out = (struct serial_rs485){
        .flags = SER_RS485_ENABLED | level | (bus->echo ? SER_RS485_RX_DURING_TX : 0u),
        .delay_rts_before_send = (uint32_t)bus->rs485.before_ms,
        .delay_rts_after_send = (uint32_t)bus->rs485.after_ms,
    };
}

static int set_direction(const struct site_bus *bus, int fd, const char **why)
{
    const uint32_t levels = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND | SER_RS485_RTS_AFTER_SEND;
    struct serial_rs485 wanted, got;

    if (!bus->rs485.enabled)
        return 0;
    link_open_rs485(bus, &wanted);
    got = wanted;
    if (ioctl(fd, TIOCSRS485, &got) < 0) {
        *why = "this port has no direction control in the kernel (rs485)";
        return errno;
    }
    /* The kernel writes back what it made of it. */
    if ((got.flags & levels) != (wanted.flags & levels) ||
        got.delay_rts_before_send != wanted.delay_rts_before_send ||
        got.delay_rts_after_send != wanted.delay_rts_after_send) {
        *why = "this port cannot control the direction like that (rs485)";
        return EINVAL;
    }
    return 0;
}

static int open_serial(const struct site_bus *bus, modbus_t *ctx, int *fd, const char **why)
{
    int first;
    int err;

    if (!baud_known(bus->baud)) {
        *why = "this baud rate is not supported";
        return EINVAL;
    }
    /* Looked at before libmodbus opens it, and with that sets its speed under the feet of whoever uses it. */
    first = open(bus->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (first < 0)
        return errno;
    err = lock_line(first, why);
    if (err == 0 && modbus_connect(ctx) < 0)
        err = errno ? errno : EIO;
    (void)close(first); /* and the lock with it: one open file has one lock */
    if (err != 0)
        return err;
    *fd = modbus_get_socket(ctx);
    err = lock_line(*fd, why);
    if (err == 0)
        err = set_direction(bus, *fd, why);
    if (err != 0)
        modbus_close(ctx);
    return err;
}

int link_open_bus(const struct site_bus *bus, modbus_t *ctx, int cancel_fd, int64_t timeout_us,
                  struct lookup **pending, int *fd, char *detail)
{
    const char *why = NULL;
    char reason[64];
    int err;

    if (bus->kind == BUS_RTU)
        err = open_serial(bus, ctx, fd, &why);
    else
        err = line_connect(bus->host, bus->port, cancel_fd, timeout_us, pending, fd, &why);
    if (err == 0 && bus->kind == BUS_RTU_OVER_TCP)
        (void)modbus_set_socket(ctx, *fd);
    if (err == 0)
        return 0;
    if (!why)
        why = link_errno_text(err, reason, sizeof reason);
    if (bus->kind == BUS_RTU)
        (void)text_format(detail, DRIVER_DETAIL_MAX, "%.60s: %s", bus->path, why);
    else
        (void)text_format(detail, DRIVER_DETAIL_MAX, "%.60s:%u: %s", bus->host, (unsigned)bus->port, why);
    return err;
}

void link_open_undo(const struct site_bus *bus, modbus_t *ctx, int fd)
{
    if (bus->kind == BUS_RTU) {
        /* Closing waits for unsent bytes, for half a minute on a line that is stuck. */
        (void)tcflush(fd, TCIOFLUSH);
        modbus_close(ctx);
    } else {
        if (ctx)
            (void)modbus_set_socket(ctx, -1);
        (void)close(fd);
    }
}
