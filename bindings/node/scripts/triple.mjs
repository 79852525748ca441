// The name of this platform in npm/ and of its native file.
export function triple() {
  const { platform, arch, report } = process
  if (platform === 'linux') {
    report.excludeNetwork = true
    const { glibcVersionRuntime } = report.getReport().header
    return `linux-${arch}-${glibcVersionRuntime ? 'gnu' : 'musl'}`
  }
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`
}
