// A device that launches nothing: it records the TensorIterator of every kernel that it is asked for.
//
// The operators below hand torch's own iterators, built by torch's own code, to `record`, in the
// place where a CUDA build of torch hands them to its kernels (`mul_stub`, `sum_stub`). Tensors of
// the device have sizes, strides, a dtype and an address; no memory lies behind the address, and
// nothing reads it.

#include <ATen/EmptyTensor.h>
#include <ATen/core/Tensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/BinaryOps.h>
#include <ATen/native/ReduceOps.h>
#include <ATen/native/TensorIterator.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/mul_native.h>
#include <ATen/ops/sum_native.h>
#include <ATen/ops/view_as_real_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <sstream>

namespace {

constexpr auto TYPE = c10::DeviceType::PrivateUse1;
const c10::Device DEVICE(TYPE, 0);
constexpr int64_t ALIGNMENT = 512; // CUDA's caching allocator: kMinBlockSize, c10/core/AllocatorConfig.h

int64_t next_address = 0;
std::vector<std::string> launches;

// Addresses are handed out in order and never again, so that they name the tensors of a run.
at::Tensor made(at::IntArrayRef size, at::IntArrayRef stride, int64_t offset, at::ScalarType dtype) {
  const auto bytes =
      static_cast<int64_t>(at::detail::computeStorageNbytes(size, stride, c10::elementSize(dtype), offset));
  next_address += ALIGNMENT; // no tensor lies at 0
  auto* address = reinterpret_cast<void*>(next_address);
  next_address += (bytes / ALIGNMENT + 1) * ALIGNMENT;
  c10::Storage storage(c10::Storage::use_byte_size_t(), bytes, c10::DataPtr(address, DEVICE), nullptr, false);
  auto tensor = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::scalarTypeToTypeMeta(dtype));
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(size, stride);
  tensor.unsafeGetTensorImpl()->set_storage_offset(offset);
  return tensor;
}

// As torch's `create_out` does: strides where an operator names them, else a memory format.
at::Tensor made(at::IntArrayRef size, at::IntArrayRef stride, const at::TensorOptions& options) {
  const at::DimVector contiguous(c10::contiguous_strides(size));
  const auto dtype = c10::typeMetaToScalarType(options.dtype());
  auto tensor = made(size, stride.empty() ? at::IntArrayRef(contiguous) : stride, 0, dtype);
  const auto format = options.memory_format_opt().value_or(at::MemoryFormat::Contiguous);
  if (stride.empty() && format != at::MemoryFormat::Contiguous) {
    tensor.unsafeGetTensorImpl()->empty_tensor_restride(format);
  }
  return tensor;
}

std::string quoted(at::ScalarType dtype) {
  return '"' + std::string(c10::getDtypeNames(dtype).first) + '"';
}

// One iterator as JSON; lists of integers print as such.
std::string described(const char* operation, at::TensorIteratorBase& iter) {
  std::ostringstream out;
  out << std::boolalpha << "{\"operation\": \"" << operation << "\", \"shape\": " << iter.shape()
      << ", \"contiguous\": " << iter.is_contiguous() << ", \"fits_32_bits\": " << iter.can_use_32bit_indexing()
      << ", \"accumulates\": " << iter.should_accumulate() << ", \"final_output\": " << iter.is_final_output()
      << ", \"outputs\": " << iter.noutputs() << ", \"reduced_dimensions\": " << iter.num_reduce_dims()
      << ", \"common_dtype\": ";
  const auto common = iter.maybe_common_dtype();
  out << (common ? quoted(*common) : "null") << ", \"operands\": [";
  for (int i = 0; i < iter.ntensors(); ++i) {
    out << (i ? ", " : "") << "{\"address\": " << reinterpret_cast<int64_t>(iter.data_ptr(i))
        << ", \"stride_bytes\": " << iter.strides(i) << ", \"dtype\": " << quoted(iter.dtype(i))
        << ", \"element_bytes\": " << iter.element_size(i) << ", \"conjugated\": " << iter.tensor(i).is_conj()
        << ", \"storage_bytes\": " << iter.tensor_base(i).storage().nbytes() << "}";
  }
  out << "]}";
  return out.str();
}

// As CUDA does: nothing is launched for no elements, and what 32 bits cannot index part by part
// (Loops.cuh, Reduce.cuh).
void record(const char* operation, at::TensorIteratorBase& iter) {
  if (iter.numel() == 0) {
    return;
  }
  if (iter.can_use_32bit_indexing()) {
    launches.push_back(described(operation, iter));
    return;
  }
  for (auto& part : iter.with_32bit_indexing()) {
    record(operation, part);
  }
}

// A structured operator of torch's whose outputs are tensors of the device.
template <typename Structured>
struct Recorded final : Structured {
  at::Tensor out;

  const at::Tensor& maybe_get_output(int64_t) override {
    return out;
  }

  void set_output_raw_strided(
      int64_t index, at::IntArrayRef size, at::IntArrayRef stride, at::TensorOptions options) override {
    out = made(size, stride, options);
    if constexpr (std::is_base_of_v<at::TensorIteratorBase, Structured>) {
      at::TensorIteratorBase::set_output_raw_strided(index, size, stride, options);
    }
  }
};

at::Tensor multiplied(const at::Tensor& self, const at::Tensor& other) {
  Recorded<at::native::structured_mul_out> operation;
  operation.meta(self, other);
  operation.impl(self, other, operation.out);
  return operation.out;
}

at::Tensor summed(
    const at::Tensor& self, at::OptionalIntArrayRef dim, bool keepdim, std::optional<at::ScalarType> dtype) {
  // torch treats CUDA on its own where a sum has another dtype than what is summed.
  TORCH_CHECK(!dtype || *dtype == self.scalar_type(), "a sum into another dtype is not recorded");
  Recorded<at::native::structured_sum_out> operation;
  operation.meta(self, dim, keepdim, dtype);
  operation.impl(self, dim, keepdim, dtype, operation.out);
  return operation.out;
}

// As `copy_impl` in torch's Copy.cpp builds it, which knows no device but its own.
at::Tensor& copied(at::Tensor& self, const at::Tensor& source, bool) {
  auto iter = at::TensorIteratorConfig()
                  .add_output(self)
                  .add_const_input(source)
                  .resize_outputs(false)
                  .check_all_same_dtype(false)
                  .check_all_same_device(false)
                  .build();
  record("copy", iter);
  return self;
}

at::Tensor empty_strided(
    at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
    std::optional<at::Device>, std::optional<bool>) {
  return made(size, stride, 0, dtype.value_or(at::kFloat));
}

at::Tensor empty(
    at::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>, std::optional<at::Device>,
    std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return made(size, {}, at::dtype(dtype.value_or(at::kFloat)).memory_format(format));
}

// The iterator of a product of CPU tensors, in which torch converts operands of two dtypes.
std::string on_cpu(const at::Tensor& self, const at::Tensor& other) {
  at::Tensor out;
  auto iter = at::TensorIterator::borrowing_binary_op(out, self, other);
  return described("mul", iter);
}

std::string taken() {
  std::string all;
  for (const auto& one : launches) {
    all += (all.empty() ? "" : ", ") + one;
  }
  launches.clear();
  return '[' + all + ']';
}

int64_t next() {
  return next_address;
}

// Hand out addresses from here on again: what two runs then record can be compared, addresses too.
void start_at(int64_t address) {
  launches.clear();
  next_address = address;
}

// What autograd wants of a device: that it is there, and has one stream.
struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override {
    return true;
  }
  bool isAvailable() const override {
    return true;
  }
  bool hasPrimaryContext(c10::DeviceIndex) const override {
    return true;
  }
  c10::DeviceIndex deviceCount() const override {
    return 1;
  }
};

struct Guard final : c10::impl::NoOpDeviceGuardImpl<TYPE> {
  c10::Device getDevice() const override {
    return DEVICE;
  }
  c10::Device exchangeDevice(c10::Device) const override {
    return DEVICE;
  }
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, DEVICE);
  }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override {
    return stream;
  }
};

const bool HOOKED = (at::RegisterPrivateUse1HooksInterface(new Hooks()), true);
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

} // namespace

namespace at::native {

void record_mul(TensorIteratorBase& iter) {
  record("mul", iter);
}

void record_sum(TensorIterator& iter) {
  record("sum", iter);
}

REGISTER_PRIVATEUSE1_DISPATCH(mul_stub, &record_mul)
REGISTER_PRIVATEUSE1_DISPATCH(sum_stub, &record_sum)

} // namespace at::native

TORCH_LIBRARY(launch, m) {
  m.def("make(int[] size, int[] stride, int offset, ScalarType dtype) -> Tensor",
        [](at::IntArrayRef size, at::IntArrayRef stride, int64_t offset, at::ScalarType dtype) {
          return made(size, stride, offset, dtype);
        });
  m.def("on_cpu(Tensor self, Tensor other) -> str", on_cpu);
  m.def("taken() -> str", taken);
  m.def("next() -> int", next);
  m.def("start_at(int address) -> ()", start_at);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("mul.Tensor", multiplied);
  m.impl("sum.dim_IntList", summed);
  m.impl("copy_", copied);
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("view", at::native::view);
  m.impl("view_as_real", at::native::view_as_real);
}
