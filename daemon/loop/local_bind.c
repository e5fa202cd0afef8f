/* A listening Unix socket at a path, which only those may use who are meant to. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/internal.h"

static int local_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* RG_OK when the path is free now; a socket nobody listens on any more is removed for that. */
static enum rg_err local_clear(const struct sockaddr_un *address, int *reason)
{
    struct stat st;
    int error = 0;
    int fd;

    if (lstat(address->sun_path, &st) != 0) {
        if (errno == ENOENT)
            return RG_OK;
        *reason = errno;
        return RG_EIO;
    }
    if (!S_ISSOCK(st.st_mode)) {
        *reason = EEXIST;
        return RG_EIO;
    }
    fd = local_socket();
    if (fd < 0) {
        *reason = errno;
        return RG_EIO;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        error = errno;
    (void)close(fd);
    /* EAGAIN: someone listens, and has many waiting already. */
    if (error == 0 || error == EAGAIN)
        return RG_EEXIST;
    if (error == ECONNREFUSED && unlink(address->sun_path) == 0)
        return RG_OK;
    *reason = error == ECONNREFUSED ? errno : error;
    return RG_EIO;
}

/* bind gives the file the rights that the umask leaves, which is the whole process's and not touched here. The rights asked
 * for are set before listen: until then nobody can connect, whatever the file allows. */
static bool local_bind_with(int fd, const struct sockaddr_un *address, unsigned mode)
{
    return bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
           chmod(address->sun_path, (mode_t)mode) == 0;
}

enum rg_err local_bind(const char *path, unsigned mode, int *out, struct local_file *file, int *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    enum rg_err err;
    struct stat st;
    int fd;

    if (length == 0 || length >= sizeof address.sun_path)
        return RG_EINVAL;
    memcpy(address.sun_path, path, length);
    err = local_clear(&address, reason);
    if (err != RG_OK)
        return err;
    fd = local_socket();
    if (fd < 0) {
        *reason = errno;
        return RG_EIO;
    }
    if (!local_bind_with(fd, &address, mode) || lstat(path, &st) != 0) {
        *reason = errno;
        (void)close(fd);
        return RG_EIO;
    }
    *out = fd;
    *file = (struct local_file){.device = st.st_dev, .inode = st.st_ino};
    return RG_OK;
}

void local_unlink(const char *path, const struct local_file *file)
{
    struct stat st;

    if (lstat(path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode)
        (void)unlink(path);
}

bool local_peer_uid(int fd, uint32_t *uid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    *uid = (uint32_t)peer.uid;
    return true;
}
