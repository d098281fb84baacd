"""Remote procedure calls between participants."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from livekit.rtc import RpcError
from livekit.rtc._proto import ffi_pb2, room_pb2, rpc_pb2

from lkgate.harness.room.client import Client
from lkgate.harness.room.ffi import Ask, Handler, VirtualFfi
from lkgate.harness.room.hub import Hub

_Code = RpcError.ErrorCode
_RESPONSE_TIMEOUT_MS = 15_000


@dataclass(frozen=True, slots=True)
class _Call:
    ask: Ask
    caller: Client
    callee: Client


class Rpc:
    """The part of the virtual server that carries calls and their answers."""

    def __init__(self, ffi: VirtualFfi, hub: Hub) -> None:
        self._ffi = ffi
        self._hub = hub
        self._ids = itertools.count(1)
        self._calls: dict[int, _Call] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "perform_rpc": self._perform,
            "register_rpc_method": self._register,
            "unregister_rpc_method": self._unregister,
            "rpc_method_invocation_response": self._respond,
        }

    # -- the hub's Part

    def list_for(
        self, client: Client, other: Client, listed: room_pb2.ConnectCallback.ParticipantWithTracks
    ) -> None:
        """Nothing to know."""

    def leaves(self, client: Client) -> None:
        for number, call in list(self._calls.items()):
            if call.callee is client:
                self._fail(number, _Code.RECIPIENT_DISCONNECTED)

    def left(self, client: Client, other: Client) -> None:
        """Nothing to know."""

    # -- requests

    def _register(self, req: rpc_pb2.RegisterRpcMethodRequest, resp: Any) -> None:
        self._hub.client(req.local_participant_handle).rpc_methods.add(req.method)

    def _unregister(self, req: rpc_pb2.UnregisterRpcMethodRequest, resp: Any) -> None:
        self._hub.client(req.local_participant_handle).rpc_methods.discard(req.method)

    def _perform(self, req: rpc_pb2.PerformRpcRequest, resp: Any) -> None:
        caller = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.perform_rpc)
        callee = self._hub.named(req.destination_identity)
        if callee is None or callee is caller:
            self._answer(ask, _Code.RECIPIENT_NOT_FOUND)
            return
        number = next(self._ids)
        self._calls[number] = _Call(ask, caller, callee)
        timeout_ms = req.response_timeout_ms or _RESPONSE_TIMEOUT_MS
        invocation = rpc_pb2.RpcMethodInvocationEvent(
            local_participant_handle=callee.handle,
            invocation_id=number,
            method=req.method,
            request_id=f"rpc_{number}",
            caller_identity=caller.identity,
            payload=req.payload,
            response_timeout_ms=timeout_ms,
        )

        def arrive() -> None:
            if number not in self._calls:
                return
            if req.method not in callee.rpc_methods:
                self._fail(number, _Code.UNSUPPORTED_METHOD)
                return
            self._ffi.put(ffi_pb2.FfiEvent(rpc_method_invocation=invocation))

        self._hub.later(arrive)
        self._hub.after(
            timeout_ms * 1000, lambda: self._fail(number, _Code.RESPONSE_TIMEOUT, trips=0)
        )

    def _respond(self, req: rpc_pb2.RpcMethodInvocationResponseRequest, resp: Any) -> None:
        resp.rpc_method_invocation_response.SetInParent()
        call = self._calls.pop(req.invocation_id, None)
        if call is None:
            return
        if req.HasField("error"):
            self._hub.answer("perform_rpc", call.ask, trips=1, error=req.error)
        else:
            self._hub.answer("perform_rpc", call.ask, trips=1, payload=req.payload)

    def _fail(self, number: int, code: _Code, *, trips: int = 1) -> None:
        call = self._calls.pop(number, None)
        if call is not None:
            self._answer(call.ask, code, trips=trips)

    def _answer(self, ask: Ask, code: _Code, *, trips: int = 2) -> None:
        error = RpcError._built_in(code)._to_proto()
        self._hub.answer("perform_rpc", ask, trips=trips, error=error)
