/* File descriptors of a bus: connecting, waiting, draining, each bounded and cancellable. Knows nothing of
 * Modbus. */
#ifndef RG_DRIVERS_MODBUS_LINE_H
#define RG_DRIVERS_MODBUS_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "drivers/modbus/lookup.h"

enum line_event {
    LINE_READY,     /* bytes, the end of the connection, or an error can be read from fd */
    LINE_TIMEOUT,   /* until_us has come */
    LINE_CANCELLED, /* cancel_fd is readable */
};

/* until_us: on the clock of clock_mono_us; at or before now: looks once. fd -1: only waits. */
enum line_event line_wait(int fd, int cancel_fd, int64_t until_us);

/* Reads what has arrived, without waiting, into out[size]. *bytes: how much, 0 when nothing has. Returns 0 or an errno
 * as of line_drain. */
int line_take(int fd, uint8_t *out, size_t size, size_t *bytes);

/* The same from a socket, in one system call. flags: MSG_PEEK or 0. */
int line_receive(int fd, uint8_t *out, size_t size, int flags, size_t *bytes);

/* Reads and throws away what has arrived, without waiting (at most 64 KiB a call). *bytes: how much.
 * Returns 0, or the errno that says why the line is no more (ECONNRESET for the orderly end of a
 * connection, EIO for a tty hung up). */
int line_drain(int fd, size_t *bytes);

/* Whether a socket's other side has hung up, without taking what it sent before: 0, or an errno as of
 * line_drain. */
int line_hung_up(int fd);

/* Waits until the bytes written to a tty are on the line. 0, or an errno: ETIME when they are not by until_us,
 * ECANCELED. */
int line_flush(int fd, int cancel_fd, int64_t until_us);

/* A TCP connection, non-blocking, without Nagle's delay, and with keep-alive so that a peer that lost its
 * power is noticed while nothing is sent. Looking the name up (see lookup.h for pending) and all its addresses
 * together get timeout_us. Returns 0 or an errno; why: a text for a name that does not resolve, else NULL. */
int line_connect(const char *host, uint16_t port, int cancel_fd, int64_t timeout_us, struct lookup **pending,
                 int *fd, const char **why);

#endif
