package org.computehive.server.demo;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Says what went wrong, from an exception whose message was made for people. */
final class Complaint {
    private Complaint() {}

    static String of(Throwable thrown) {
        Throwable cause = thrown;
        while ((cause instanceof CompletionException
                        || cause instanceof ExecutionException
                        || cause instanceof UncheckedIOException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof FileSystemException e) {
            return of(e);
        }
        String message = cause.getMessage();
        return message == null ? cause.toString() : message;
    }

    /** The messages of these are file names only. */
    private static String of(FileSystemException e) {
        String why = switch (e) {
            case AccessDeniedException denied -> "no right to it";
            case NoSuchFileException absent -> "there is no such file or folder";
            case FileAlreadyExistsException there -> "it exists and is not a folder";
            default -> e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
        };
        return e.getFile() + ": " + why;
    }
}
