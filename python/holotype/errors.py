"""The exceptions of Holotype, under the names that existing code catches.

Every kind of error of the engine has its class here, in `KINDS`. Where Python has an exception of its own
for a case (a missing file, a bad value), that one is raised, or a subclass of it, so that both names catch.
"""

from __future__ import annotations

__all__ = [
    "BlobHashNotFound",
    "BranchAlreadyExists",
    "CannotSwitchDefaultInstance",
    "ConnectWithinDevDirError",
    "CorruptArtifact",
    "CurrentInstanceNotConfigured",
    "DatabaseError",
    "DoesNotExist",
    "FieldError",
    "FieldValidationError",
    "FileNotInDevDir",
    "HolotypeError",
    "InconsistentKey",
    "IncompleteArtifact",
    "InstanceLockedException",
    "InstanceNotFoundError",
    "IntegrityError",
    "InvalidArgument",
    "MissingContextUID",
    "MultipleObjectsReturned",
    "MultipleResultsFound",
    "NoStorageLocationForSpace",
    "NoWriteAccess",
    "NotebookNotSaved",
    "ObjectDoesNotExist",
    "ProtectedError",
    "SettingsEnvFileOutdated",
    "StorageAlreadyManaged",
    "StorageNotEmpty",
    "SyncConflict",
    "TrackNotCalled",
    "UnknownDatabase",
    "UnknownStorageLocation",
    "UpdateContext",
    "ValidationError",
]


class HolotypeError(Exception):
    """The base of all exceptions that are Holotype's own."""


class ObjectDoesNotExist(HolotypeError):
    """No record matches."""


class MultipleObjectsReturned(HolotypeError):
    """More than one record matches where one was asked for."""


DoesNotExist = ObjectDoesNotExist
MultipleResultsFound = MultipleObjectsReturned


class FieldError(HolotypeError):
    """A field, relation or look-up that the registry does not have."""


class ValidationError(HolotypeError):
    """A value breaks a rule of its registry."""


class FieldValidationError(ValidationError):
    """The fields of a record are wrong: missing, unknown, too long."""


class InvalidArgument(HolotypeError, AssertionError):
    """An argument that makes no sense here."""


class IntegrityError(HolotypeError):
    """A constraint of the database or of identity would break."""


class ProtectedError(IntegrityError):
    """Other records still point at the one to be removed."""


class DatabaseError(HolotypeError):
    """The database reported a failure, or stayed locked by other writers."""


class UnknownDatabase(HolotypeError):
    """The database is of a level or kind that this version does not know."""


class IncompleteArtifact(HolotypeError):
    """Content that was never completely stored."""


class CorruptArtifact(HolotypeError):
    """Stored bytes differ from what the registry says."""


class UnknownStorageLocation(HolotypeError):
    """A path in no registered storage location."""


class NoStorageLocationForSpace(HolotypeError):
    """A space without a storage location."""


class StorageAlreadyManaged(HolotypeError):
    """A storage location that belongs to another instance."""


class StorageNotEmpty(HolotypeError):
    """A storage location that still holds objects."""


class InstanceNotFoundError(HolotypeError):
    """No instance of that name is known on this machine."""


class InstanceLockedException(HolotypeError):
    """Another user holds the lock of the instance."""


class SyncConflict(HolotypeError, RuntimeError):
    """What is on this machine and what is in the cloud went different ways."""


class CurrentInstanceNotConfigured(HolotypeError):
    """No instance is connected."""


class CannotSwitchDefaultInstance(HolotypeError):
    """A run is being tracked in the present instance."""


class ConnectWithinDevDirError(HolotypeError):
    """`connect` inside a directory that is bound to another instance."""


class SettingsEnvFileOutdated(HolotypeError):
    """A settings file lacks a required key."""


class TrackNotCalled(HolotypeError):
    """Tracking has not been started."""


class UpdateContext(HolotypeError):
    """The tracking context must be changed by the user."""


class MissingContextUID(HolotypeError):
    """Tracking needs a uid."""


class NotebookNotSaved(HolotypeError):
    """The notebook on disk is older than the one that runs."""


class FileNotInDevDir(HolotypeError):
    """A file outside of the directory that is bound to the instance."""


class BlobHashNotFound(HolotypeError):
    """A source file that the git repository does not hold."""


class BranchAlreadyExists(HolotypeError):
    """A branch of that name exists."""


class NoWriteAccess(HolotypeError):
    """The record is locked, or lives in a space that may not be written."""


class InconsistentKey(HolotypeError):
    """A key that disagrees with the path of its content."""


class _Unsupported(NotImplementedError, ValueError):
    """The operation is not supported for this kind of object."""


_Unsupported.__name__ = _Unsupported.__qualname__ = "NotImplementedError"

KINDS: dict[str, type[BaseException]] = {
    "DoesNotExist": ObjectDoesNotExist,
    "MultipleResults": MultipleObjectsReturned,
    "Field": FieldError,
    "FieldValidation": FieldValidationError,
    "Validation": ValidationError,
    "InvalidArgument": InvalidArgument,
    "Value": ValueError,
    "Type": TypeError,
    "Integrity": IntegrityError,
    "Protected": ProtectedError,
    "FileNotFound": FileNotFoundError,
    "FileExists": FileExistsError,
    "PermissionDenied": PermissionError,
    "Io": OSError,
    "IncompleteArtifact": IncompleteArtifact,
    "Corrupt": CorruptArtifact,
    "UnknownStorageLocation": UnknownStorageLocation,
    "StorageAlreadyManaged": StorageAlreadyManaged,
    "StorageNotEmpty": StorageNotEmpty,
    "InstanceNotFound": InstanceNotFoundError,
    "InstanceNotConfigured": CurrentInstanceNotConfigured,
    "SettingsOutdated": SettingsEnvFileOutdated,
    "UnknownDatabase": UnknownDatabase,
    "Database": DatabaseError,
    "Busy": DatabaseError,
    "InstanceLocked": InstanceLockedException,
    "SyncConflict": SyncConflict,
    "ConnectWithinDevDir": ConnectWithinDevDirError,
    "TrackNotCalled": TrackNotCalled,
    "UpdateContext": UpdateContext,
    "BranchAlreadyExists": BranchAlreadyExists,
    "NoWriteAccess": NoWriteAccess,
    "Unsupported": _Unsupported,
    "Interrupted": KeyboardInterrupt,
}


def no_instance(reason: str | None = None) -> CurrentInstanceNotConfigured:
    """Returns the exception for work without a connected instance.

    Args:
        reason: Why the instance that should be current could not be connected.
    """
    from holotype import _native

    command = _native.command()
    lines = [] if reason is None else [reason]
    lines += [
        "No instance is connected! Call",
        f"- CLI:     {command} connect  / {command} init --storage ./mydata",
        '- Python:  ln.connect("name")  / ln.setup.init(storage="./mydata")',
        '- R:       ln$connect("name")  / ln$setup$init(storage="./mydata")',
    ]
    return CurrentInstanceNotConfigured("\n".join(lines))
