#include "uplink/password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to PASSWORD_MAX bytes. -1: failed. */
static ssize_t read_some(int fd, char *out)
{
    size_t done = 0;

    while (done < PASSWORD_MAX) {
        ssize_t got = read(fd, out + done, PASSWORD_MAX - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static enum rg_err refuse(const char **what, const char *why, enum rg_err err)
{
    *what = why;
    return err;
}

/* Of the length bytes that were read. */
static enum rg_err take_line(char *out, size_t length, const char **what)
{
    char *end = memchr(out, '\n', length);
    size_t line = end ? (size_t)(end - out) : length;

    if (!end && length == PASSWORD_MAX)
        return refuse(what, "its first line is too long", RG_EINVAL);
    if (line > 0 && out[line - 1] == '\r')
        line--;
    if (line == 0)
        return refuse(what, "its first line is empty", RG_EINVAL);
    if (memchr(out, '\0', line))
        return refuse(what, "it is no text", RG_EINVAL);
    out[line] = '\0';
    return RG_OK;
}

enum rg_err password_read(const char *path, char out[PASSWORD_MAX], const char **what)
{
    struct stat st;
    ssize_t length = -1;
    /* A pipe would hold the caller up, so not blocking and regular files only. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const int reason = errno;

    if (fd < 0)
        return refuse(what, reason == ENOENT ? "there is no such file" : strerror(reason), RG_EIO);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        length = read_some(fd, out);
    (void)close(fd);
    if (length < 0)
        return refuse(what, "it cannot be read, or is no regular file", RG_EIO);
    return take_line(out, (size_t)length, what);
}
