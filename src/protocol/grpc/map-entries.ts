import type { PackageDefinition } from '@grpc/proto-loader';
import descriptor from 'protobufjs/ext/descriptor.js';

type Message = descriptor.IDescriptorProto;
type Files = readonly Buffer[];

/**
 * The definitions with the entries of maps under the names that protoc gives them: `ParametersEntry` for a field `parameters`.
 * The library names an entry `Parameters`, and tools that check what reflection serves (grpcurl, everything built on Go's
 * protobuf) refuse the whole file for it.
 */
export function nameMapEntries(definitions: PackageDefinition): PackageDefinition {
  // Every type and service holds all files of its package; each list is rewritten once.
  const rewritten = new Map<Files, Buffer[]>();
  const renamed = (files: Buffer[]): Buffer[] => {
    const known = rewritten.get(files) ?? files.map(renameIn);
    rewritten.set(files, known);
    return known;
  };
  const entries = Object.entries(definitions).map(([name, definition]) => {
    if (!('format' in definition)) return [name, definition];
    const { fileDescriptorProtos: files } = definition as { fileDescriptorProtos: Buffer[] };
    return [name, { ...definition, fileDescriptorProtos: renamed(files) }];
  });
  return Object.fromEntries(entries) as PackageDefinition;
}

function renameIn(file: Buffer): Buffer {
  const decoded = descriptor.FileDescriptorProto.decode(file) as descriptor.IFileDescriptorProto;
  for (const message of decoded.messageType ?? []) renameEntries(message);
  return Buffer.from(descriptor.FileDescriptorProto.encode(decoded).finish());
}

/** An entry lies in the message of its field, which alone refers to it. */
function renameEntries({ field: fields = [], nestedType: nested = [] }: Message): void {
  for (const inner of nested) {
    renameEntries(inner);
    if (!inner.options?.mapEntry) continue;
    const field = fields.find(({ typeName }) => typeName === inner.name);
    if (!field?.name) continue;
    inner.name = entryNameOf(field.name);
    field.typeName = inner.name;
  }
}

/** As protoc has it: words that underscores part begin with a capital, the rest stays as it is. */
function entryNameOf(field: string): string {
  return `${field.replace(/(?:^|_+)(.)/g, (_, first: string) => first.toUpperCase())}Entry`;
}
